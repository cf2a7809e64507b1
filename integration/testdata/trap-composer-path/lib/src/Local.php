<?php

namespace Local;

class Local
{
    public const TEXT = 'local';
}
