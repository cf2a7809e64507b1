fn main() {
    println!("{} {}", shout::shout("hello"), counted::counted!(a b c));
}
