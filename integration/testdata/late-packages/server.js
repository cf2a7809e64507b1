"use strict";

const compression = require("compression");
const express = require("express");
const helmet = require("helmet");
const pino = require("pino-http");

const app = express();
app.use(pino(), helmet(), compression());

app.get("/healthz", (req, res) => res.json({ status: "ok" }));
app.get("/hello/:name", (req, res) => res.json({ hello: req.params.name }));

const server = app.listen(process.env.PORT || 3000);
process.on("SIGTERM", () => server.close());
