//! The parts of a function's ARN.

/// The ARN of a function, `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`, perhaps with `:QUALIFIER`.
#[derive(Clone, Copy, Debug)]
pub struct FunctionArn<'a>(pub &'a str);

const REGION: usize = 3;
const NAME: usize = 6;

impl<'a> FunctionArn<'a> {
    pub fn region(self) -> Option<&'a str> {
        self.0.split(':').nth(REGION)
    }

    /// The name alone.
    pub fn name(self) -> Option<&'a str> {
        self.0.split(':').nth(NAME)
    }

    /// Without a version or an alias.
    pub fn unqualified(self) -> &'a str {
        self.first(NAME + 1)
    }

    /// The ARN of another function in the same account and region.
    pub fn beside(self, name: &str) -> String {
        format!("{}:{name}", self.first(NAME))
    }

    /// The first parts; all if there are fewer.
    fn first(self, parts: usize) -> &'a str {
        self.0.match_indices(':').nth(parts - 1).map_or(self.0, |(end, _)| &self.0[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_parts_with_and_without_a_qualifier() {
        let unqualified = "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders";
        for arn in [unqualified, "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders:live"] {
            let arn = FunctionArn(arn);
            assert_eq!((arn.region(), arn.name()), (Some("cn-north-1"), Some("orders")));
            assert_eq!(arn.unqualified(), unqualified);
            assert_eq!(arn.beside("duet-x"), "arn:aws-cn:lambda:cn-north-1:123456789012:function:duet-x");
        }
    }

    #[test]
    fn what_is_cut_off_has_no_name() {
        let arn = FunctionArn("arn:aws:lambda:eu-west-1");
        assert_eq!(
            (arn.region(), arn.name(), arn.unqualified()),
            (Some("eu-west-1"), None, "arn:aws:lambda:eu-west-1")
        );
        assert_eq!(FunctionArn("orders").region(), None);
    }
}
