//! Seconds of Unix time -> the calendar, UTC, proleptic Gregorian.

/// A second of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
    /// 0 is Sunday.
    pub weekday: u64,
}

impl Civil {
    /// Years of 366 and 365 days, counted from a March so that the leap day is the last of its year.
    pub fn of(unix_s: u64) -> Self {
        let days = unix_s / 86_400;
        let second = unix_s % 86_400;
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
            weekday: (days + 4) % 7,
        }
    }

    /// Year to second as 14 digits.
    pub fn digits(self) -> String {
        let Self { year, month, day, hour, minute, second, .. } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::Civil;

    #[test]
    fn known_seconds() {
        let rows = [
            (0, "19700101000000", 4),
            (951_782_399, "20000228235959", 1),
            (951_782_400, "20000229000000", 2),
            (1_700_000_000, "20231114221320", 2),
            (4_107_542_400, "21000301000000", 1),
        ];
        for (unix_s, digits, weekday) in rows {
            let civil = Civil::of(unix_s);
            assert_eq!((civil.digits().as_str(), civil.weekday), (digits, weekday), "{unix_s}");
        }
    }
}
