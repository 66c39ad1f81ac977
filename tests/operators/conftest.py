"""Loads the library into CPython."""

import pytest
import torch


def pytest_addoption(parser):
    parser.addoption("--library", required=True, help="libjloss.so")


@pytest.fixture(scope="session", autouse=True)
def library(request):
    torch.ops.load_library(request.config.getoption("--library"))
