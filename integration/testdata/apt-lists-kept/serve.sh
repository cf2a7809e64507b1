#!/bin/sh
echo "{}" | jq .
