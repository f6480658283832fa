//! Signing and verifying messages, as a function does that issues or checks tokens.
//!
//! Ed25519 signatures depend on the key and the message alone, so that they can be compared between
//! machines; those of ECDSA and RSA-PSS are random.

use crate::workload::{Implementation, Params, Routine, Sizes, Vectorization, Workload, checksum_of, input, limits};
use rand::Rng;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

pub const WORKLOAD: Workload = Workload {
    name: "math/ed25519",
    implementation: Implementation::Library,
    vectorization: Vectorization::Scalar,
    summary: "signs messages with Ed25519 and verifies the signatures",
    stresses: "multiplications of 64 × 64 to 128 bits with long carry chains, as in all public-key cryptography",
    difference: "x86_64 has mulx and two carry chains (adcx, adox), arm64 a mul and umulh pair and one carry \
                 chain; ring has assembly for some of it on x86_64 and C for the rest",
    source: "D. Bernstein et al., High-speed high-security signatures, CHES 2011; RFC 8032; crate ring",
    element: "one message of 32 bytes",
    time: "O(n)",
    memory: "96 n bytes",
    sizes: Sizes { small: 12, medium: 350, large: 12_000 },
    in_place: false,
    buffer_bytes: |messages| messages.saturating_mul((MESSAGE_BYTES + SIGNATURE_BYTES) as u64).saturating_add(1024),
    prepare: |params| Box::new(Signatures::new(params)),
};

const MESSAGE_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;

struct Signatures {
    key: Ed25519KeyPair,
    messages: Vec<[u8; MESSAGE_BYTES]>,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
    verified: u64,
}

impl Signatures {
    fn new(params: &Params) -> Self {
        let mut rng = input::rng(params.seed);
        let mut bytes = || {
            let mut bytes = [0; MESSAGE_BYTES];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let key = Ed25519KeyPair::from_seed_unchecked(&bytes()).expect("32 bytes are a seed");
        let messages = limits::made(params.len(), bytes);
        Self { key, messages, signatures: limits::filled([0; SIGNATURE_BYTES], params.len()), verified: 0 }
    }
}

impl Routine for Signatures {
    fn run(&mut self) {
        let public_key = UnparsedPublicKey::new(&ED25519, self.key.public_key());
        self.verified = 0;
        for (message, signature) in self.messages.iter().zip(&mut self.signatures) {
            limits::checkpoint();
            signature.copy_from_slice(self.key.sign(message).as_ref());
            self.verified += u64::from(public_key.verify(message, signature).is_ok());
        }
    }

    fn checksum(&self) -> u64 {
        let verified = self.verified.to_le_bytes();
        checksum_of(self.signatures.iter().map(<[u8; SIGNATURE_BYTES]>::as_slice).chain([verified.as_slice()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_verifies_and_a_changed_one_does_not() {
        let mut signer = Signatures::new(&Params::random(20, 8));
        signer.run();
        assert_eq!(signer.verified, 20);
        let public_key = UnparsedPublicKey::new(&ED25519, signer.key.public_key());
        assert!(public_key.verify(&signer.messages[1], &signer.signatures[0]).is_err());
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn signs_as_the_standard_does() {
        let seed = 0x4ccd089b28ff96da_9db6c346ec114e0f_u128.to_be_bytes();
        let rest = 0x5b8a319f35aba624_da8cf6ed4fb8a6fb_u128.to_be_bytes();
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed, rest].concat()).unwrap();
        let signature = key.sign(&[0x72]);
        assert_eq!(signature.as_ref()[..8], 0x92a009a9f0d4cab8_u64.to_be_bytes());
    }
}
