//! What Lambda asks for.

use crate::protocol::Architecture;
use serde::{Deserialize, Serialize};

/// The list price of one architecture in one region, first tier, without free tier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// A GB-second, in US dollars (Lambda's GB has 1024 MiB).
    pub gb_second_usd: f64,
    /// A request, in US dollars.
    pub request_usd: f64,
}

impl Price {
    /// The price in us-east-1, as <https://aws.amazon.com/lambda/pricing/> lists it.
    pub fn of(architecture: Architecture) -> Self {
        let gb_second_usd = match architecture {
            Architecture::Arm64 => 0.000_013_333_4,
            Architecture::X86_64 => 0.000_016_666_7,
        };
        Self { gb_second_usd, request_usd: 0.000_000_2 }
    }

    /// What one call costs that is billed for `billed_ms` at `memory_mb`, in US dollars.
    pub fn of_call(self, billed_ms: f64, memory_mb: u32) -> f64 {
        self.request_usd + self.gb_second_usd * (billed_ms / 1000.0) * (f64::from(memory_mb) / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_calls_of_120_ms_at_1536_mb_cost_what_the_price_list_computes() {
        // The example of the price list: 3 million calls of 120 ms at 1536 MB on x86_64 are 540 000 GB-s.
        let bill = 3e6 * Price::of(Architecture::X86_64).of_call(120.0, 1536);
        assert!((bill - (540_000.0 * 0.000_016_666_7 + 0.60)).abs() < 1e-6, "{bill}");
        let arm = 3e6 * Price::of(Architecture::Arm64).of_call(120.0, 1536);
        assert!(arm < bill);
    }
}
