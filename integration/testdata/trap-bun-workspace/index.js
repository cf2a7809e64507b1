console.log(require("greet")());
