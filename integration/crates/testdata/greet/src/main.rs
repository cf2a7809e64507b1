fn main() {
    println!("{}", shout::shout("hello"));
}
