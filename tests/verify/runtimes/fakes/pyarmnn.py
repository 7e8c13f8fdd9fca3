from __future__ import annotations

from typing import Any

import computing

ARMNN_VERSION = "0.0.0"


def BackendId(name: str) -> str:  # noqa: N802 - pyarmnn's names
    return name


def OptimizerOptions() -> None:  # noqa: N802
    return None


def CreationOptions() -> None:  # noqa: N802
    return None


def Optimize(network: computing.Model, backends: list[str], spec: None, options: None) -> Any:  # noqa: N802
    assert backends == ["CpuRef"]
    return network, []


class ITfLiteParser:
    def CreateNetworkFromBinaryFile(self, path: str) -> computing.Model:  # noqa: N802
        return computing.Model(path)

    def GetNetworkInputBindingInfo(self, subgraph: int, name: str) -> str:  # noqa: N802
        return name

    GetNetworkOutputBindingInfo = GetNetworkInputBindingInfo


class IRuntime:
    def __init__(self, options: None) -> None: ...

    def GetDeviceSpec(self) -> None: ...  # noqa: N802

    def LoadNetwork(self, network: computing.Model) -> tuple[int, str]:  # noqa: N802
        self.network = network
        return 7, ""

    def EnqueueWorkload(self, network: int, given: dict[str, Any], taken: list[Any]) -> None:  # noqa: N802
        assert network == 7
        found = self.network.run(given)
        taken[:] = [found[name] for name in taken]


def make_input_tensors(names: list[str], values: list[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def make_output_tensors(names: list[str]) -> list[Any]:
    return list(names)


def workload_tensors_to_ndarray(taken: list[Any]) -> list[Any]:
    return taken
