/// In capitals; it panics on anything but small letters and spaces.
pub fn shout(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' => ' ',
            c => {
                assert!(letters::LETTERS.contains(&c), "{c} is no letter");
                c.to_ascii_uppercase()
            }
        })
        .collect()
}
