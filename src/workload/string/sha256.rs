//! Hashing a stream of random bytes with SHA-256, the hash of signatures, checksums and signed requests.
//!
//! The stream goes through 512 KiB of data as often as the size asks for, so that memory bandwidth stays
//! out of the figure.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use rand::Rng;
use sha2::{Digest, Sha256};

pub const WORKLOAD: Workload = Workload {
    name: "string/sha256",
    implementation: Implementation::Library,
    vectorization: Vectorization::RunTimeDispatch,
    summary: "hashes a stream of bytes with SHA-256",
    stresses: "the SHA-256 instructions, where a CPU has them, else chains of rotations and additions",
    difference: "Graviton processors have the instructions (SHA2); of the x86_64 ones, AMD's have them (SHA-NI) since \
                 Zen and Intel's since Ice Lake; without them portable code does the work",
    source: "FIPS 180-4; crate sha2",
    element: "one byte of the stream",
    time: "O(n)",
    memory: "constant",
    sizes: Sizes { small: 1_400_000, medium: 40_000_000, large: 1_400_000_000 },
    in_place: false,
    buffer_bytes: |_| DATA_BYTES as u64,
    prepare: |params| Box::new(HashedStream::new(params)),
};

const DATA_BYTES: usize = 512 * 1024;

struct HashedStream {
    bytes: u64,
    data: Vec<u8>,
    digest: [u8; 32],
}

impl HashedStream {
    fn new(params: &Params) -> Self {
        let mut data = vec![0; DATA_BYTES];
        input::rng(params.seed).fill_bytes(&mut data);
        Self { bytes: params.elements, data, digest: [0; 32] }
    }
}

impl Routine for HashedStream {
    fn run(&mut self) {
        let mut hasher = Sha256::new();
        let mut left = self.bytes;
        while left > 0 {
            limits::checkpoint();
            let len = left.min(self.data.len() as u64);
            hasher.update(&self.data[..len as usize]);
            left -= len;
        }
        self.digest = hasher.finalize().into();
    }

    fn checksum(&self) -> u64 {
        checksum_of([self.digest])
    }

    fn code_path(&self) -> Option<&'static str> {
        Some(code_path())
    }
}

/// As the library decides it.
#[cfg(target_arch = "x86_64")]
fn code_path() -> &'static str {
    if is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") { "sha-ni" } else { "portable" }
}

/// As the library decides it.
#[cfg(target_arch = "aarch64")]
fn code_path() -> &'static str {
    if std::arch::is_aarch64_feature_detected!("sha2") { "armv8-sha2" } else { "portable" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(data: &[u8], bytes: u64) -> String {
        let mut stream = HashedStream { bytes, data: data.to_vec(), digest: [0; 32] };
        stream.run();
        stream.digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The examples of FIPS 180-4 (then FIPS 180-2, appendix B).
    #[test]
    fn knows_the_standards_examples() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let two_blocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(digest(b"abc", 3), abc);
        assert_eq!(digest(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56), two_blocks);
        assert_eq!(digest(&[b'a'; 999], 1_000_000), million);
    }
}
