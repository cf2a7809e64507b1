require("fs").writeFileSync("version", "1\n");
