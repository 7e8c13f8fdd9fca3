"""Custom operators that nobody but a device or TensorFlow itself can run: what they are, for messages."""

from __future__ import annotations

# Custom codes, or their beginnings with "*", as the compilers write them.
_DEVICES = {
    "edgetpu-custom-op": "the Coral Edge TPU",
    "ethos-u": "an Arm Ethos-U NPU (by Vela)",
    "XC_*": "an XMOS xcore processor",
    "NeutronGraph": "an NXP eIQ Neutron NPU",
    "DISPATCH_OP": "an NPU, by LiteRT's ahead-of-time compiler",
}


def why_not(custom_code: str) -> str:
    """What is known of a custom operator that int8rt has not."""
    for pattern, device in _DEVICES.items():
        if custom_code == pattern or (pattern.endswith("*") and custom_code.startswith(pattern[:-1])):
            return f"compiled for {device}; only its device can run it: use the .tflite file from which it was compiled"
    if custom_code.startswith("Flex") and custom_code[4:5].isupper():
        return f"TensorFlow's operator {custom_code[4:]!r}, which only the Flex delegate runs"
    return "int8rt has no such operator (int8rt.register_custom_op adds one)"
