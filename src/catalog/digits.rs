//! Whole numbers as decimal digits, written from the end of a buffer. An answer is mostly these.

/// `00` to `99`: a division for two digits, not for each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Writes a number so that it ends before `end`, and says where it starts.
pub(crate) fn write(mut number: u64, buffer: &mut [u8], end: usize) -> usize {
    let mut at = end;
    while number >= 10 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if number > 0 || at == end {
        at -= 1;
        buffer[at] = PAIRS[(number % 100) as usize][1];
    }
    at
}

/// Writes the last `places` digits of a number so that they end before `end`, zeros in front included, and says
/// where they start.
pub(crate) fn write_places(mut number: u64, places: usize, buffer: &mut [u8], end: usize) -> usize {
    let start = end - places;
    let mut pairs = buffer[start..end].rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + (number % 10) as u8;
    }
    start
}

/// The longest text of [`named`]: a name, a mark, a number.
const LONGEST: usize = 48;

/// A buffer for [`named`].
pub(crate) type Buffer = [u8; LONGEST];

/// A short name, a mark and a number: `rate_card:812`.
pub(crate) fn named<'b>(name: &str, mark: u8, number: u64, buffer: &'b mut Buffer) -> &'b str {
    let mark_at = write(number, buffer, LONGEST) - 1;
    buffer[mark_at] = mark;
    let start = mark_at - name.len();
    buffer[start..mark_at].copy_from_slice(name.as_bytes());
    std::str::from_utf8(&buffer[start..]).unwrap_or_default() // a text, a mark and digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_before_the_end() {
        let mut buffer = *b"........";
        assert_eq!(write(907, &mut buffer, 6), 3);
        assert_eq!(&buffer, b"...907..");
        assert_eq!(write(0, &mut buffer, 1), 0);
        assert_eq!(buffer[0], b'0');
    }

    #[test]
    fn places_are_filled_with_zeros() {
        let mut buffer = *b"........";
        assert_eq!(write_places(42, 4, &mut buffer, 8), 4);
        assert_eq!(&buffer, b"....0042");
        assert_eq!(write_places(42, 0, &mut buffer, 4), 4);
    }

    #[test]
    fn a_name_and_the_greatest_number_fit() {
        assert_eq!(named("rate_card", b':', 812, &mut [0; LONGEST]), "rate_card:812");
        assert!(named("a_rather_long_kind_of_row", b':', u64::MAX, &mut [0; LONGEST]).ends_with("1615"));
    }
}
