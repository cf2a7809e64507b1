console.log(require("esbuild").version);
