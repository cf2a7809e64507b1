require("protobufjs");
