//! Numbers that arrive piece by piece: their grammar, and their value so far.

/// At most this many bytes of an unfinished number are parsed, so that polling after every digit stays
/// linear.
const GROWING: usize = 1024;

/// The interpreter's default limit: integers of as many characters and more are floats.
pub const MAX_DIGITS: usize = 4300;

/// The lowest limit that the interpreter accepts: shorter integers are never floats.
pub const LEAST_DIGITS: usize = 640;

/// A value that holds no others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'t> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number in digits alone, perhaps behind a minus sign, of any size.
    Integer(&'t str),
    /// Another number, rounded to the nearest; infinite where it is too large.
    Float(f64),
    /// A string, unescaped.
    String(&'t str),
}

/// The value of a number. If it `grows`, that is, may go on, an end that cannot be its end is left out.
/// An integer of `max_digits` characters and more is a float.
pub(super) fn read_number(text: &str, grows: bool, max_digits: usize) -> Scalar<'_> {
    let text = if grows {
        without_unfinished_end(text)
    } else {
        text
    };
    let is_integer = text.len() < max_digits && !text.contains(['.', 'e', 'E']);
    if is_integer {
        Scalar::Integer(text)
    } else {
        Scalar::Float(text.parse().unwrap_or(f64::INFINITY))
    }
}

fn without_unfinished_end(text: &str) -> &str {
    let text = text.get(..GROWING).unwrap_or(text);
    text.trim_end_matches(['+', '-'])
        .trim_end_matches(['e', 'E'])
        .trim_end_matches('.')
}

/// Whether two numbers are equal, whatever their kinds.
pub(super) fn equal(one: Scalar<'_>, other: Scalar<'_>) -> bool {
    match (one, other) {
        (Scalar::Integer(text), Scalar::Float(float))
        | (Scalar::Float(float), Scalar::Integer(text)) => {
            // Without a fraction this writes the float exactly.
            float.fract() == 0.0 && format!("{float:.0}") == text
        }
        _ => one == other,
    }
}

/// How far a number has come: `[ minus ] int [ frac ] [ exp ]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberPart {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    ExponentMark,
    ExponentSign,
    Exponent,
}

impl NumberPart {
    /// The part that a number begins with.
    pub(super) fn first(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Integer),
            _ => None,
        }
    }

    /// The part that `byte` leads to, or `None` where it does not belong to the number.
    pub(super) fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0'..=b'9') => Self::first(byte),
            (Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::ExponentMark),
            (Self::ExponentMark, b'+' | b'-') => Some(Self::ExponentSign),
            (Self::ExponentMark | Self::ExponentSign | Self::Exponent, b'0'..=b'9') => {
                Some(Self::Exponent)
            }
            _ => None,
        }
    }

    /// Whether a number may end here.
    pub(super) fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Integer | Self::Fraction | Self::Exponent
        )
    }
}
