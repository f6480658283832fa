//! What would help where Lambda does not make a clone.

use crate::campaign::row::Failure;

/// A part of Lambda's message, and what helps then.
const REMEDIES: [(&str, &str); 12] = [
    ("iam:PassRole", "allow iam:PassRole on the function's role"),
    ("lambda:CreateFunction", "allow lambda:CreateFunction on functions whose names begin with duet-"),
    ("lambda:TagResource", "allow lambda:TagResource on functions whose names begin with duet-"),
    ("lambda:GetLayerVersion", "allow lambda:GetLayerVersion on the function's layers"),
    ("ec2:Describe", "allow ec2:DescribeSubnets, ec2:DescribeSecurityGroups and ec2:DescribeVpcs"),
    ("elasticfilesystem:", "allow elasticfilesystem:DescribeMountTargets on the function's file systems"),
    ("MemorySize", "new accounts have up to 3008 MB; ask AWS for more, or leave this size out of --memory"),
    ("CodeStorageExceeded", "delete versions that are not needed any more, or ask AWS for more code storage"),
    ("CodeVerificationFailed", "sign the package, or name a signed one"),
    ("KMS", "allow kms:Decrypt and kms:CreateGrant on the key of the function's variables"),
    ("Subnet", "free addresses in the function's subnets, or let its role make network interfaces"),
    ("ECR", "allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the image's repository"),
];

/// The failure with what would help, if that is known.
pub(super) fn with_remedy(failure: Failure) -> Failure {
    let helps = REMEDIES.iter().find(|(part, _)| failure.message.contains(part));
    match helps {
        Some((_, remedy)) => {
            let message = format!("{}; {remedy}", failure.message.trim_end_matches('.'));
            Failure { message, ..failure }
        }
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permission_that_is_missing_is_named() {
        let of = |message: &str| with_remedy(Failure::refused(message)).message;
        assert_eq!(
            of(
                "AccessDeniedException: User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:PassRole on \
                resource: arn:aws:iam::123456789012:role/orders"
            ),
            "AccessDeniedException: User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:PassRole on \
             resource: arn:aws:iam::123456789012:role/orders; allow iam:PassRole on the function's role"
        );
        let too_much =
            of("InvalidParameterValueException: 'MemorySize' value failed to satisfy constraint: Member must have \
                           value less than or equal to 3008");
        assert!(too_much.ends_with("leave this size out of --memory"), "{too_much}");
        assert_eq!(of("ServiceException: it is broken."), "ServiceException: it is broken.");
    }
}
