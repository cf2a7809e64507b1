console.log(require("local"));
