fn main() {
    println!("{}", counted::counted!(a b c));
}
