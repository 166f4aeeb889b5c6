//! Answers -> lines on a terminal: tables, texts, JSON, questions. All text is foreign and is escaped here.

use std::error::Error;
use std::io::{IsTerminal, Write, stdin, stdout};

use serde::Serialize;
use waf_user::event::printable;

use super::Outcome;

/// A column is no wider than this to what stands right of it.
const WIDTH_MAX: usize = 60;

/// A table with its heading; columns as wide as they need to be.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Outcome {
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| printable(cell).into_owned())).collect();
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(WIDTH_MAX));
        }
    }
    let mut out = String::new();
    write_row(&mut out, &heading, &widths);
    for row in &rows {
        write_row(&mut out, &row.each_ref().map(String::as_str), &widths);
    }
    print(&out)
}

fn write_row(out: &mut String, cells: &[&str], widths: &[usize]) {
    let start = out.len();
    for (cell, width) in cells.iter().zip(widths) {
        out.push_str(cell);
        let fill = width.saturating_sub(cell.chars().count()) + 2;
        out.extend(std::iter::repeat_n(' ', fill));
    }
    let end = start + out.get(start..).unwrap_or_default().trim_end().len();
    out.truncate(end);
    out.push('\n');
}

/// A text of several lines, each escaped.
pub fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", printable(line))).collect()
}

/// Indented JSON and a line's end.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Outcome {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// To standard output. Who closes it early (`| head`) has had enough.
pub fn print(text: &str) -> Outcome {
    match stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// `n site`, `n sites`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Yes at once with `--yes`; else what is answered on the terminal.
///
/// # Errors
/// There is no terminal to ask on.
pub fn agreed(question: &str, yes: bool) -> Result<bool, Box<dyn Error>> {
    if yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        return Err("nobody to ask here, so nothing was changed: say --yes to do it unasked".into());
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
