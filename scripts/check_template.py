#!/usr/bin/env python3
"""Checks what SAM makes of template.yaml: what no linter asks and no emulator enforces.

Runs with the Python of .tools/sam, which has SAM's own translator.
"""

import logging
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.public.translator import Translator
from samtranslator.parser.parser import Parser
from samtranslator.yaml_helper import yaml_parse

logging.disable(logging.WARNING)  # the translator's remarks about its own features

ROUTES = {
    ("post", "/arm64/benchmark"): "Arm64Function",
    ("get", "/arm64/workloads"): "Arm64Function",
    ("post", "/x86_64/benchmark"): "X86Function",
    ("get", "/x86_64/workloads"): "X86Function",
}
ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"}
ONLY_OUR_NAMESPACE = {"StringEquals": {"cloudwatch:namespace": "LambdaDuet"}}


def transformed(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file)
    # Code is uploaded by `sam package`; the translator wants to see where to.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    resources = Translator({}, Parser()).translate(template, {})["Resources"]
    return lambda kind: {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def routes(body):
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            assert operation.get("security") == [{"AWS_IAM": []}], f"{method} {path} is open"
            integration = operation["x-amazon-apigateway-integration"]
            assert "credentials" not in integration, f"{method} {path} lends its caller's credentials"
            yield (method, path), integration["uri"]["Fn::Sub"]
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4", "AWS_IAM is not IAM"


def check_api(of_type):
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    found = dict(routes(api["Body"]))
    assert found.keys() == ROUTES.keys(), f"the routes are {sorted(found)}"
    for route, function in ROUTES.items():
        assert f"/${{{function}.Arn}}/" in found[route], f"{route} does not lead to {function}"


def check_functions(of_type):
    functions = of_type("AWS::Lambda::Function")
    architectures = {name: f.pop("Architectures") for name, f in functions.items()}
    assert architectures == {"Arm64Function": ["arm64"], "X86Function": ["x86_64"]}, architectures
    groups = [f["LoggingConfig"].pop("LogGroup")["Ref"] for f in functions.values()]
    assert set(groups) == of_type("AWS::Logs::LogGroup").keys(), f"logs go to {groups}"
    arm64, x86 = ({key: f[key] for key in f.keys() - {"Description"}} for f in functions.values())
    assert arm64 == x86, "the functions differ in more than architecture, description and log group"


def check_permissions(of_type):
    (role,) = of_type("AWS::IAM::Role").values()
    assert "ManagedPolicyArns" not in role, "managed policies allow more than is needed"
    (policy,) = role["Policies"]
    granted = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        granted.update(actions)
        if actions == ["cloudwatch:PutMetricData"]:
            assert statement["Condition"] == ONLY_OUR_NAMESPACE, "metrics may go to any namespace"
        else:
            assert all("Fn::GetAtt" in r for r in statement["Resource"]), f"{actions} on foreign resources"
    assert granted == ACTIONS, f"the role allows {sorted(granted)}"


def check_log_groups(of_type):
    for name, group in of_type("AWS::Logs::LogGroup").items():
        assert "RetentionInDays" in group, f"{name} is kept for ever"


if __name__ == "__main__":
    of_type = transformed("template.yaml")
    try:
        for check in (check_api, check_log_groups, check_functions, check_permissions):
            check(of_type)
    except AssertionError as error:
        sys.exit(f"template.yaml: {error}")
    print("template.yaml: every route asks for IAM, and the role allows logs and metrics alone")
