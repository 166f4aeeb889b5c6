//! A duration as Go prints it (`3h59m49.5s`, time.Duration.String) -> seconds.

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("write a number and its unit, such as 4h or 30m; units are h, m, s, ms, us and ns")]
    Syntax,
    #[error("is longer than 136 years")]
    Long,
}

/// Whole seconds, a part of one counts as one: a ban of half a second is none of no time. 0: over.
///
/// # Errors
/// See [`DurationError`].
pub(super) fn seconds(text: &str) -> Result<u32, DurationError> {
    let (is_over, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return Err(DurationError::Syntax);
    }
    // Go knows one number without a unit.
    if rest == "0" {
        return Ok(0);
    }
    let mut total_s = 0.0_f64;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(DurationError::Syntax)?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let number: f64 = number.parse().map_err(|_| DurationError::Syntax)?;
        total_s += number * unit_s(unit).ok_or(DurationError::Syntax)?;
        rest = after;
    }
    let whole = total_s.ceil();
    if whole > f64::from(u32::MAX) {
        return Err(DurationError::Long);
    }
    // Within u32 by the line above, and never below zero.
    Ok(if is_over { 0 } else { whole as u32 })
}

fn unit_s(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3_600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}
