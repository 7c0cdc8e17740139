"""Confine this process, then become another program: run as ``python -I -S _launch.py LIMIT=VALUE ... -- ARGV``.

Started by ``process.py`` between the fork and the tool: ``preexec_fn`` can deadlock in a parent with threads, a small program of
its own cannot. It imports as little as it can (about 15 ms all told) and takes its orders as words, since ``json`` alone costs 7 ms.
The probe's worker uses the same functions on itself, after its imports.

Orders: ``parent=PID`` (die with it), ``as= cpu= fsize= nofile=`` (limits; bytes, seconds, bytes, descriptors), ``strict=1`` (Landlock and
seccomp), ``run=PATH`` (may be read and executed), ``read=PATH``, ``write=PATH``; the last three may be repeated.

What cannot be done is an error, never skipped: exit code 126 and one line on stderr that starts with ``MARK``.
Numbers: Linux ``include/uapi/linux/{landlock,seccomp,audit,prctl}.h``; system calls from ``syscall_64.tbl`` and ``asm-generic/unistd.h``.
"""

import ctypes
import os
import sys

MARK = "mediaprep-launch: "
SETUP_FAILED = 126

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9

# Landlock: file-system rights by bit; 13 (refer) came with ABI 2, 14 (truncate) with ABI 3. Device ioctls (15) are left alone: a
# device that may not be opened cannot be asked anything.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_OF_ABI_1, _REFER, _TRUNCATE = 0x1FFF, 1 << 13, 1 << 14
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP_BIND_AND_CONNECT, _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3

# By machine: audit architecture, clone, calls refused with EPERM (network, tracing, mounting, leaving the group, signals to others,
# keys, kernel), and those that only the launcher needs.
MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        (
            *(
                41,
                42,
                43,
                49,
                50,
                288,
                425,
                426,
                427,
            ),  # socket connect accept bind listen accept4 io_uring_{setup,enter,register}
            *(57, 58, 109, 112),  # fork vfork setpgid setsid
            *(62, 129, 297, 424),  # kill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal
            *(101, 310, 311, 438),  # ptrace process_vm_readv process_vm_writev pidfd_getfd
            *(
                155,
                161,
                165,
                166,
                272,
                304,
                308,
            ),  # pivot_root chroot mount umount2 unshare open_by_handle_at setns
            *(
                175,
                176,
                313,
                246,
                320,
            ),  # init_module delete_module finit_module kexec_load kexec_file_load
            *(
                248,
                249,
                250,
                298,
                321,
                323,
            ),  # add_key request_key keyctl perf_event_open bpf userfaultfd
        ),
        (59, 322),  # execve execveat
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (
            *(198, 203, 202, 200, 201, 242, 425, 426, 427),  # in the order above
            *(154, 157),  # setpgid setsid; fork and vfork do not exist
            *(129, 138, 240, 424),
            *(117, 270, 271, 438),
            *(41, 51, 40, 39, 97, 265, 268),
            *(105, 106, 273, 104, 294),
            *(217, 218, 219, 241, 280, 282),
        ),
        (221, 281),
    ),
}
_CLONE3 = 435
_CLONE_THREAD = 0x10000


class CannotConfine(Exception):
    """The kernel refused a step of the confinement."""


def _libc() -> "ctypes.CDLL":
    return ctypes.CDLL(None, use_errno=True)


def _must(result: int, what: str) -> int:
    if result < 0:
        raise CannotConfine(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def landlock_abi() -> int:
    """The version of Landlock that the kernel offers; 0 = none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def die_with_parent(parent: int) -> None:
    """Ask for SIGKILL when the thread that started us ends (Linux; elsewhere nothing). Raises: CannotConfine; SystemExit if it is gone."""
    if sys.platform != "linux":
        return
    _must(_libc().prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "parent-death signal")
    if os.getppid() != parent:
        raise SystemExit(SETUP_FAILED)


def limit(orders: "dict[str, int]") -> None:
    """Set the limits named: as, data, cpu, fsize, nofile (soft and hard); core is always 0. Raises: CannotConfine.

    data: since Linux 4.7 all private memory that may be written to; not set elsewhere.
    """
    import resource

    names = {
        "as": resource.RLIMIT_AS,
        "cpu": resource.RLIMIT_CPU,
        "fsize": resource.RLIMIT_FSIZE,
        "nofile": resource.RLIMIT_NOFILE,
    }
    if sys.platform == "linux":
        names["data"] = resource.RLIMIT_DATA
    for name, kind in [*names.items(), ("core", resource.RLIMIT_CORE)]:
        wanted = 0 if name == "core" else orders.get(name)
        if wanted is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError) as problem:
            if (
                sys.platform == "linux" or name != "as"
            ):  # macOS does not keep RLIMIT_AS; sandbox.py says so
                raise CannotConfine(f"limit {name}={wanted}: {problem}") from problem


def no_new_privileges() -> None:
    """Set-user-id programs gain nothing from here on. Raises: CannotConfine."""
    _must(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def restrict_files(runs: "list[str]", reads: "list[str]", writes: "list[str]") -> None:
    """Landlock: nothing can be opened any more but what lies under these paths, no TCP, no signals to others.

    Descriptors that are open stay usable. It binds the calling thread only. Raises: CannotConfine; OSError for a path that is not there.
    """
    libc, abi = _libc(), landlock_abi()
    if abi < 1:
        raise CannotConfine("this kernel has no Landlock")
    handled = _ALL_OF_ABI_1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    network, scoped = (
        _TCP_BIND_AND_CONNECT if abi >= 4 else 0,
        _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0,
    )
    attributes = (ctypes.c_uint64 * 3)(handled, network, scoped)
    ruleset = _must(
        libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(24), ctypes.c_uint(0)),
        "Landlock ruleset",
    )
    to_read = _READ_FILE | _READ_DIR
    for paths, rights in (
        (runs, to_read | _EXECUTE),
        (reads, to_read),
        (writes, handled & ~_EXECUTE),
    ):
        for path in paths:
            _allow(libc, ruleset, path, rights & handled)
    _must(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint(0)), "Landlock")
    os.close(ruleset)


def _allow(libc: "ctypes.CDLL", ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_mode & 0o170000 != 0o040000:
            rights &= _FILE_RIGHTS
        rule = rights.to_bytes(8, sys.byteorder) + descriptor.to_bytes(
            4, sys.byteorder
        )  # packed: u64 rights, s32 descriptor
        _must(
            libc.syscall(_ADD_RULE, ruleset, ctypes.c_uint(1), rule, ctypes.c_uint(0)),
            f"Landlock rule for {path}",
        )
    finally:
        os.close(descriptor)


def call_filter(machine: str, exec_too: bool = False) -> bytes:
    """The seccomp program: refused calls get EPERM, a foreign architecture is killed, threads may start but not processes.

    ``exec_too``: no other program can be started either. Raises: CannotConfine for a machine whose numbers are not known here.
    """
    if machine not in MACHINES:
        raise CannotConfine(f"no seccomp table for {machine}")
    audit, clone, refused, executing = MACHINES[machine]
    load, equal, at_least, bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, eperm, enosys, allow = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return (
            code.to_bytes(2, sys.byteorder)
            + bytes((then, otherwise))
            + value.to_bytes(4, sys.byteorder)
        )

    program = [step(load, 4), step(equal, audit, 1), step(answer, kill), step(load, 0)]
    if machine == "x86_64":  # the x32 numbers would be a second way in
        program += [step(at_least, 0x40000000, 0, 1), step(answer, kill)]
    for number in refused + (executing if exec_too else ()):
        program += [step(equal, number, 0, 1), step(answer, eperm)]
    program += [
        step(equal, _CLONE3, 0, 1),
        step(answer, enosys),
    ]  # its flags lie behind a pointer: libc falls back to clone
    program += [
        step(equal, clone, 0, 3),
        step(load, 16),
        step(bit, _CLONE_THREAD, 1),
        step(answer, eperm),
        step(answer, allow),
    ]
    return b"".join(program)


def restrict_calls(exec_too: bool = False) -> None:
    """Load the filter of ``call_filter`` for this machine. Raises: CannotConfine."""
    program = call_filter(os.uname().machine, exec_too)

    class FilterProgram(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    _must(
        _libc().prctl(
            _PR_SET_SECCOMP, 2, ctypes.byref(FilterProgram(len(program) // 8, program)), 0, 0
        ),
        "seccomp",
    )


def main(words: "list[str]") -> int:
    """Carry out the orders before ``--``, then become what follows it. Returns only when that failed."""
    try:
        import resource  # noqa: F401 - here, before Landlock shuts it away

        end = words.index("--")
        orders = [word.partition("=")[::2] for word in words[:end]]
        numbers = {
            name: int(value) for name, value in orders if name not in ("run", "read", "write")
        }
        paths = [
            [value for name, value in orders if name == kind] for kind in ("run", "read", "write")
        ]
        if "parent" in numbers:
            die_with_parent(numbers["parent"])
        if numbers.get("strict"):
            no_new_privileges()
            restrict_files(*paths)
            restrict_calls()
        limit(numbers)
        os.execv(words[end + 1], words[end + 1 :])  # noqa: S606 - this is the launcher
    except (CannotConfine, ImportError, OSError, ValueError, IndexError) as problem:
        os.write(2, f"{MARK}{problem}\n".encode(errors="replace"))
    return SETUP_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
