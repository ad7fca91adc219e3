"""Python imports this as it starts, in the functions of a local system under test.

The functions are processes of the emulator, so that nothing else can come between them and AWS.
"""

import os
import sys

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and "PERKWIRE_RIGHTS" in os.environ:
    root = os.environ["PERKWIRE_ROOT"]
    sys.path.append(root)
    from tests.iam.in_function import judge_own_calls

    # A function sees the packages that it was built with, and no others.
    sys.path.remove(root)
    judge_own_calls()
