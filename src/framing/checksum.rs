//! CRC-32 as zlib, PNG and AWS's event streams have it, eight bytes a step.

const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let (mut byte, mut start) = (0, 0_u32);
    while byte < 256 {
        let mut value = start;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (0xEDB8_8320 * (value & 1));
            bit += 1;
        }
        tables[0][byte] = value;
        (byte, start) = (byte + 1, start + 1);
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let value = tables[table - 1][byte];
            tables[table][byte] = (value >> 8) ^ tables[0][(value & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut crc = !0_u32;
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(crc);
        let looked_up = word.to_le_bytes().into_iter().enumerate();
        crc = looked_up.fold(0, |crc, (at, byte)| crc ^ TABLES[7 - at][usize::from(byte)]);
    }
    for byte in rest {
        let low = crc.to_le_bytes()[0] ^ byte;
        crc = (crc >> 8) ^ TABLES[0][usize::from(low)];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_catalogue() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            crc32(b"The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
    }
}
