//! How bytes reach a reader.

use proptest::sample::Index;

/// Up to here, data is split at every position.
const LARGE: usize = 8192;

/// The ways in which `data` can arrive: whole, byte by byte, in two at every position.
///
/// Above 8 KiB the positions are sampled: around both ends, around line ends and around the powers
/// of two that buffers like to have, and evenly in between.
pub fn splits(data: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let positions = if data.len() <= LARGE {
        (1..data.len()).collect()
    } else {
        sampled(data)
    };
    let in_two = positions
        .into_iter()
        .map(|at| vec![&data[..at], &data[at..]]);
    [vec![data], each_byte(data)].into_iter().chain(in_two)
}

/// One read per byte.
pub fn each_byte(data: &[u8]) -> Vec<&[u8]> {
    data.chunks(1).collect()
}

/// `data` cut at `positions`; those past its end give empty reads, as sockets may.
pub fn cut<'d>(data: &'d [u8], positions: &[usize]) -> Vec<&'d [u8]> {
    let mut edges: Vec<usize> = positions.iter().map(|at| *at.min(&data.len())).collect();
    edges.extend([0, data.len()]);
    edges.sort_unstable();
    edges
        .windows(2)
        .map(|pair| &data[pair[0]..pair[1]])
        .collect()
}

/// `data` cut at positions that fit any length.
pub fn cut_at<'d>(data: &'d [u8], positions: &[Index]) -> Vec<&'d [u8]> {
    let positions: Vec<usize> = positions
        .iter()
        .map(|at| at.index(data.len() + 1))
        .collect();
    cut(data, &positions)
}

/// How many bytes were fed once the read was in that holds byte number `due`.
pub fn fed_with(due: usize, pieces: &[&[u8]]) -> Option<usize> {
    let mut fed = 0;
    for piece in pieces {
        fed += piece.len();
        if fed >= due && !piece.is_empty() {
            return Some(fed);
        }
    }
    None
}

fn sampled(data: &[u8]) -> Vec<usize> {
    let size = data.len();
    let mut near: Vec<usize> = vec![0, size];
    near.extend(
        (9..)
            .map(|bits| 1 << bits)
            .take_while(|power| *power < size),
    );
    near.extend((0..size).step_by(size / 61));
    let ends = || (0..size).filter(|at| matches!(data[*at], b'\r' | b'\n'));
    if ends().count() < 200 {
        near.extend(ends());
    }
    let mut positions: Vec<usize> = near
        .into_iter()
        .flat_map(|at| at.saturating_sub(2)..=at + 2)
        .filter(|at| (1..size).contains(at))
        .collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}
