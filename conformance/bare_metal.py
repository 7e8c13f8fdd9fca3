"""A machine's memory in which compiled code runs without an operating system, for the emulator Bochs.

Pages have the addresses that they have in the process in which the code was loaded, so that nothing is relocated.
"""

from __future__ import annotations

import ctypes
import re
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from llvmlite import binding

PAGE = 4096
# Physical addresses: the page tables and all pages; the program that the processor starts with.
_MEMORY, _ROM, _ROM_BYTES = 0x200000, 0xFFFF0000, 0x10000
# Addresses of pages that no process of Linux has: what is to be printed, and the stack below it.
_REPORT = 0x1000000
_STACK_PAGES = 64
# XCR0: x87, SSE, AVX, AVX-512 and the two parts of AMX.
_STATES = 0x600E7

_BOOT = """
.code16
start:
  cli
  lgdtl %cs:(descriptors - start)
  movl %cr0, %eax
  orb $1, %al
  movl %eax, %cr0
  ljmpl $8, $(ROM + protected - start)
.code32
protected:
  movw $16, %ax
  movw %ax, %ds
  movw %ax, %ss
  movl $0x40620, %eax     # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
  movl %eax, %cr4
  movl $TABLES, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx  # EFER: long mode
  rdmsr
  orl $0x100, %eax
  wrmsr
  movl $0x80000023, %eax  # paging, numeric errors, monitoring, protection
  movl %eax, %cr0
  ljmpl $24, $(ROM + long - start)
.code64
long:
  xorl %ecx, %ecx
  xorl %edx, %edx
  movl $STATES, %eax
  xsetbv
  movabsq $REPORT, %rsp
  movabsq $FUNCTION, %rax
  movabsq $FIRST, %rdi
  movabsq $SECOND, %rsi
  movabsq $THIRD, %rdx
  call *%rax
  movw $0xe9, %dx         # prints memory: lists of address and size, ended by zero
  movb $60, %al
  outb %al, %dx
  movabsq $REPORT, %rbx
region:
  movq (%rbx), %rsi
  movq 8(%rbx), %rcx
  addq $16, %rbx
  testq %rcx, %rcx
  jz finished
byte:
  movb (%rsi), %ah
  movb %ah, %al
  shrb $4, %al
  addb $97, %al
  outb %al, %dx
  movb %ah, %al
  andb $15, %al
  addb $97, %al
  outb %al, %dx
  incq %rsi
  decq %rcx
  jnz byte
  jmp region
finished:
  movb $62, %al
  outb %al, %dx
  movw $0x8900, %dx
  leaq farewell(%rip), %rsi
letter:
  lodsb
  outb %al, %dx
  jmp letter
farewell:
  .ascii "Shutdown"
  .balign 8
segments:
  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
descriptors:
  .word 31
  .long ROM + segments - start
"""


def process_pages(own: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    """This process' pages by their addresses: those of (address, bytes), what LLVM loaded, and the C library."""
    ranges = [*own]
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, _, *path = line.split(maxsplit=5)
        first, end = (int(x, 16) for x in span.split("-"))
        loaded = not path and rights[0] == "r" and "w" not in rights
        if loaded or (path and re.search(r"/libc[.-]", path[0]) and rights[0] == "r"):
            ranges.append((first, end - first))
    pages = {page for first, size in ranges for page in range(first & -PAGE, first + size, PAGE)}
    return {page: ctypes.string_at(page, PAGE) for page in sorted(pages)}


def run(
    bochs: Path,
    folder: Path,
    pages: dict[int, bytes],
    function: int,
    arguments: tuple[int, int, int],
    regions: Sequence[tuple[int, int]],
    timeout: float,
) -> list[bytes]:
    """Call a function in the emulated machine; what the memory at each (address, bytes) holds then.

    folder: for the machine's files and the emulator's log. Raises `RuntimeError` where the machine came to no end.
    """
    report = b"".join(struct.pack("<QQ", *region) for region in regions) + bytes(16)
    all_pages = pages | _split(_REPORT, report) | _split(_REPORT - _STACK_PAGES * PAGE, bytes(_STACK_PAGES * PAGE))
    memory, tables = _physical(all_pages)
    numbers = {"ROM": _ROM, "TABLES": tables, "STATES": _STATES, "REPORT": _REPORT, "FUNCTION": function}
    numbers |= dict(zip(("FIRST", "SECOND", "THIRD"), arguments, strict=True))
    (folder / "memory").write_bytes(memory)
    (folder / "rom").write_bytes(_rom(folder, numbers))
    (folder / "vga").write_bytes(bytes(512))
    megabytes = 16 * (2 + len(memory) // (16 << 20))
    (folder / "settings").write_text(
        f"memory: guest={megabytes}, host={megabytes}\n"
        f"romimage: file={folder / 'rom'}, address={_ROM:#x}\nvgaromimage: file={folder / 'vga'}\n"
        f"optramimage1: file={folder / 'memory'}, address={_MEMORY:#x}\n"
        "cpu: model=sapphire_rapids, reset_on_triple_fault=0\ndisplay_library: nogui\nport_e9_hack: enabled=1\n"
        f"log: {folder / 'log'}\npanic: action=fatal\n"
    )
    child = subprocess.run(
        [bochs, "-q", "-f", folder / "settings"], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout
    )
    found = re.search(rb"<([a-p]*)>", child.stdout)
    if found is None:
        last = (folder / "log").read_text(errors="replace").strip().splitlines()[-40:]
        raise RuntimeError("the emulated machine came to no end:\n" + "\n".join(last))
    digits = found[1].translate(bytes.maketrans(b"abcdefghijklmnop", b"0123456789abcdef")).decode()
    data, values = bytes.fromhex(digits), []
    for _, size in regions:
        values.append(data[:size])
        data = data[size:]
    return values


def _split(address: int, data: bytes) -> dict[int, bytes]:
    return {address + i: data[i : i + PAGE].ljust(PAGE, b"\0") for i in range(0, len(data), PAGE)}


def _physical(pages: dict[int, bytes]) -> tuple[bytes, int]:
    """The memory from `_MEMORY` on, and the address of the first page table: all pages, and the ROM, are mapped."""
    places = {address: _MEMORY + PAGE * number for number, address in enumerate(pages)}
    places |= {address: address for address in range(_ROM, _ROM + _ROM_BYTES, PAGE)}
    content = [*pages.values()]
    # From the lowest level up: each table holds 512 entries, and is an entry of a table of the next level.
    for shift in (12, 21, 30, 39):
        tables: dict[int, bytearray] = {}
        for address, physical in places.items():
            table = tables.setdefault(address >> (shift + 9) << (shift + 9), bytearray(PAGE))
            struct.pack_into("<Q", table, (address >> shift & 511) * 8, physical | 3)
        places = {}
        for address, table in tables.items():
            places[address] = _MEMORY + PAGE * len(content)
            content.append(bytes(table))
    return b"".join(content), places[0]


def _rom(folder: Path, numbers: dict[str, int]) -> bytes:
    """The code that the processor starts with: to 64-bit mode, the call, the report, the end."""
    source, target = folder / "boot.s", folder / "boot.o"
    source.write_text("".join(f".set {name}, {value:#x}\n" for name, value in numbers.items()) + _BOOT)
    subprocess.run(["cc", "-c", source, "-o", target], check=True)
    sections = binding.ObjectFileRef.from_data(target.read_bytes()).sections()
    code = next(section.data() for section in sections if section.is_text())
    jump = struct.pack("<BH", 0xE9, -(_ROM_BYTES - 16 + 3) & 0xFFFF)  # from where the processor starts, to the code
    return code.ljust(_ROM_BYTES - 16, b"\0") + jump.ljust(16, b"\0")
