//! Zip files whose entries are stored as they are.

/// A zip file of these entries: name and content.
pub(super) fn stored(entries: &[(String, String)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in entries {
        let offset = size(file.len());
        let mut about = Vec::new();
        // Version 2.0, names in UTF-8, stored, 1 January 1980.
        for half in [20_u16, 0x0800, 0, 0, 0x0021] {
            about.extend(half.to_le_bytes());
        }
        for word in [crc32(content.as_bytes()), size(content.len()), size(content.len())] {
            about.extend(word.to_le_bytes());
        }
        about.extend(short(name.len()).to_le_bytes());
        about.extend([0, 0]);
        file.extend(*b"PK\x03\x04");
        file.extend(&about);
        file.extend(name.as_bytes());
        file.extend(content.as_bytes());
        directory.extend(*b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&about);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = size(file.len());
    file.extend(&directory);
    file.extend(*b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        file.extend(short(entries.len()).to_le_bytes());
    }
    file.extend(size(directory.len()).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// What a fake writes is far below 4 GB and 65,536 entries.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The checksum of zip files (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        // The check value of CRC-32.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn entries_stand_in_the_directory_at_the_end() {
        let file = stored(&[("0_build.txt".to_owned(), "one\n".to_owned())]);
        assert!(file.starts_with(b"PK\x03\x04"));
        let end = &file[file.len() - 22..];
        assert_eq!((&end[..4], end[10]), (b"PK\x05\x06".as_slice(), 1));
        let start = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
        assert_eq!(&file[start..start + 4], b"PK\x01\x02");
        assert!(file.ends_with(end) && file[start..].windows(11).any(|part| part == b"0_build.txt"));
    }
}
