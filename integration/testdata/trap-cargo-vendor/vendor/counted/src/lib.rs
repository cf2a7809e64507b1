use proc_macro::TokenStream;

/// The number of its tokens.
#[proc_macro]
pub fn counted(input: TokenStream) -> TokenStream {
    input.into_iter().count().to_string().parse().unwrap()
}
