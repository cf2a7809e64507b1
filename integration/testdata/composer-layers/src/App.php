<?php

namespace App;

class App
{
    public static function run(): void
    {
        echo \Example\Shouting\Shouting::text(), "\n";
    }
}
