use std::{env, fs, path::Path};

fn main() {
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("table.rs");
    let letters: Vec<String> = ('a'..='z').map(|c| format!("{c:?}")).collect();
    fs::write(out, format!("pub const LETTERS: [char; {}] = [{}];\n", letters.len(), letters.join(", "))).unwrap();
    println!("cargo:rerun-if-changed=build.rs");
}
