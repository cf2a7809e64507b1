<?php

namespace Example\Shouting;

class Shouting
{
    public static function text(): string
    {
        return strtoupper(\Example\Greeting::text());
    }
}
