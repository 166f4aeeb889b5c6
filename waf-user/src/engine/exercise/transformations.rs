//! Any bytes through each transformation: an answer for every input, no longer than its documented growth, borrowed or
//! not the same.

use crate::engine::transformation::{OUTPUT_BYTES, Transformation};

/// The first byte names the transformation; the rest is the value.
pub fn transformation(input: &[u8]) {
    let Some((index, value)) = input.split_first() else { return };
    let all = Transformation::ALL;
    let Some(transformation) = all.get(usize::from(*index) % all.len()) else { return };
    let output = transformation.apply(value);
    let name = transformation.name();
    assert!(output.len() <= value.len() * transformation.growth() + OUTPUT_BYTES, "{name}: {}", output.len());
    assert_eq!(output, transformation.apply(value), "{name}");
    // A second time what the first one made, as in a chain.
    let again = transformation.apply(&output);
    assert!(again.len() <= output.len() * transformation.growth() + OUTPUT_BYTES, "{name}: {}", again.len());
}
