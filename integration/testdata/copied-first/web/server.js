"use strict";

const ms = require("ms");
const semver = require("semver");

console.log(ms("2 days"), semver.major(process.version));
