// Package answer has the answer.
package answer

// Answer is it.
const Answer = 42
