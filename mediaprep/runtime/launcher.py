"""Confine this process, then become another program.

Run as ``python -I -S launcher.py KEY=VALUE ... -- ARGV``. ``runtime.process`` starts it in place of
the program: ``preexec_fn`` can deadlock in a parent with threads, a small program cannot. It
imports as little as possible and takes its settings as words, because ``json`` would double its
start-up time. The reader child calls the same functions on itself.

Keys: ``parent=PID`` (die with it), ``as= cpu= fsize= nofile=`` (limits in bytes, seconds, bytes,
descriptors), ``strict=1`` (Landlock and seccomp), ``run=PATH`` (may be read and executed),
``read=PATH``, ``write=PATH``; the last three may be repeated.

A step that fails is an error and is never skipped: exit code 126 and one line on stderr that starts
with ``MARK``. Numbers: Linux ``include/uapi/linux/{landlock,seccomp,audit,prctl}.h``; system calls
from ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

import ctypes
import os
import sys

MARK = "mediaprep-launch: "
SETUP_FAILED = 126

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9

# Landlock: file-system rights by bit; 13 (refer) came with ABI 2, 14 (truncate) with ABI 3. Device
# ioctls (15) are not restricted: a device that cannot be opened cannot receive any.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_OF_ABI_1, _REFER, _TRUNCATE = 0x1FFF, 1 << 13, 1 << 14
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP_BIND_AND_CONNECT, _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3

# By machine: audit architecture, number of clone, calls refused with EPERM, calls that only the
# launcher needs.
# fmt: off
MACHINES = {
    "x86_64": (
        0xC000003E,
        56,
        (
            # socket connect accept bind listen accept4 io_uring_{setup,enter,register}
            41, 42, 43, 49, 50, 288, 425, 426, 427,
            57, 58, 109, 112,  # fork vfork setpgid setsid
            62, 129, 297, 424,  # kill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal
            101, 310, 311, 438,  # ptrace process_vm_readv process_vm_writev pidfd_getfd
            # pivot_root chroot mount umount2 unshare open_by_handle_at setns
            155, 161, 165, 166, 272, 304, 308,
            175, 176, 313, 246, 320,  # init_module delete_module finit_module kexec{,_file}_load
            # add_key request_key keyctl perf_event_open bpf userfaultfd
            248, 249, 250, 298, 321, 323,
        ),
        (59, 322),  # execve execveat
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (
            198, 203, 202, 200, 201, 242, 425, 426, 427,  # in the order above
            154, 157,  # setpgid setsid; fork and vfork do not exist
            129, 138, 240, 424,
            117, 270, 271, 438,
            41, 51, 40, 39, 97, 265, 268,
            105, 106, 273, 104, 294,
            217, 218, 219, 241, 280, 282,
        ),
        (221, 281),
    ),
}
# fmt: on
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
    """Return the version of Landlock that the kernel offers; 0: none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def die_with_parent(parent: int) -> None:
    """Request SIGKILL for when the thread that started this process ends (Linux only).

    Raises: CannotConfine; SystemExit if the parent is gone.
    """
    if sys.platform != "linux":
        return
    _must(_libc().prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "parent-death signal")
    if os.getppid() != parent:
        raise SystemExit(SETUP_FAILED)


def set_limits(limits: "dict[str, int]") -> None:
    """Set the soft and hard limits named: as, data, cpu, fsize, nofile. The core limit is always 0.

    ``data`` limits all private writable memory since Linux 4.7; it is not set elsewhere.
    Raises: CannotConfine.
    """
    import resource

    names = {
        "as": resource.RLIMIT_AS,
        "cpu": resource.RLIMIT_CPU,
        "fsize": resource.RLIMIT_FSIZE,
        "nofile": resource.RLIMIT_NOFILE,
        "core": resource.RLIMIT_CORE,
    }
    if sys.platform == "linux":
        names["data"] = resource.RLIMIT_DATA
    for name, wanted in {**limits, "core": 0}.items():
        if name not in names:
            continue
        hard = resource.getrlimit(names[name])[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(names[name], (value, value))
        except (OSError, ValueError) as problem:
            # macOS does not enforce RLIMIT_AS; ``sandbox.available`` reports it
            if sys.platform == "linux" or name != "as":
                raise CannotConfine(f"limit {name}={wanted}: {problem}") from problem


def set_no_new_privileges() -> None:
    """Make set-user-id programs run without their privileges. Raises: CannotConfine."""
    _must(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def restrict_files(runs: "list[str]", reads: "list[str]", writes: "list[str]") -> None:
    """Let the calling thread open these paths only, and use neither TCP nor signals to others.

    This is Landlock: TCP needs ABI 4, signals ABI 6. Open descriptors stay usable. Raises:
    CannotConfine; OSError for a path that does not exist.
    """
    libc, abi = _libc(), landlock_abi()
    if abi < 1:
        raise CannotConfine("this kernel has no Landlock")
    handled = _ALL_OF_ABI_1 | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    network = _TCP_BIND_AND_CONNECT if abi >= 4 else 0
    scoped = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if abi >= 6 else 0
    attributes = (ctypes.c_uint64 * 3)(handled, network, scoped)
    ruleset = _must(
        libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(24), ctypes.c_uint(0)),
        "Landlock ruleset",
    )
    read = _READ_FILE | _READ_DIR
    for paths, rights in (
        (runs, read | _EXECUTE),
        (reads, read),
        (writes, handled & ~_EXECUTE),
    ):
        for path in paths:
            _add_rule(libc, ruleset, path, rights & handled)
    _must(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint(0)), "Landlock")
    os.close(ruleset)


def _add_rule(libc: "ctypes.CDLL", ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = os.fstat(descriptor).st_mode & 0o170000 == 0o040000
        if not is_folder:
            rights &= _FILE_RIGHTS
        # packed: u64 rights, s32 descriptor
        rule = rights.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
        _must(
            libc.syscall(_ADD_RULE, ruleset, ctypes.c_uint(1), rule, ctypes.c_uint(0)),
            f"Landlock rule for {path}",
        )
    finally:
        os.close(descriptor)


def call_filter(machine: str, block_exec: bool = False) -> bytes:
    """Return the seccomp program for a machine.

    Refused calls get EPERM, another architecture is killed, threads may start but not processes.
    ``block_exec``: no other program can be started either.
    Raises: CannotConfine for a machine whose numbers are unknown.
    """
    if machine not in MACHINES:
        raise CannotConfine(f"no seccomp table for {machine}")
    audit, clone, refused, exec_calls = MACHINES[machine]
    if block_exec:
        refused += exec_calls
    load, equal, at_least, bits_set, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, eperm, enosys, allow = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000

    def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return (
            code.to_bytes(2, sys.byteorder)
            + bytes((if_true, if_false))
            + value.to_bytes(4, sys.byteorder)
        )

    program = [
        instruction(load, 4),
        instruction(equal, audit, 1),
        instruction(answer, kill),
        instruction(load, 0),
    ]
    if machine == "x86_64":  # the x32 numbers would circumvent the filter
        program += [instruction(at_least, 0x40000000, 0, 1), instruction(answer, kill)]
    for number in refused:
        program += [instruction(equal, number, 0, 1), instruction(answer, eperm)]
    # The flags of clone3 lie behind a pointer; after ENOSYS, libc falls back to clone.
    program += [instruction(equal, _CLONE3, 0, 1), instruction(answer, enosys)]
    program += [
        instruction(equal, clone, 0, 3),
        instruction(load, 16),
        instruction(bits_set, _CLONE_THREAD, 1),
        instruction(answer, eperm),
        instruction(answer, allow),
    ]
    return b"".join(program)


def restrict_calls(block_exec: bool = False) -> None:
    """Load the filter of ``call_filter`` for this machine. Raises: CannotConfine."""
    program = call_filter(os.uname().machine, block_exec)

    class FilterProgram(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    _must(
        _libc().prctl(
            _PR_SET_SECCOMP, 2, ctypes.byref(FilterProgram(len(program) // 8, program)), 0, 0
        ),
        "seccomp",
    )


def main(words: "list[str]") -> int:
    """Apply the settings before ``--``, then become the program after it.

    Return only on failure.
    """
    try:
        import resource  # noqa: F401 - before Landlock makes it unreadable

        end = words.index("--")
        settings = [word.partition("=")[::2] for word in words[:end]]
        numbers: dict[str, int] = {}
        paths: dict[str, list[str]] = {"run": [], "read": [], "write": []}
        for key, value in settings:
            if key in paths:
                paths[key].append(value)
            else:
                numbers[key] = int(value)
        if "parent" in numbers:
            die_with_parent(numbers["parent"])
        if numbers.get("strict"):
            set_no_new_privileges()
            restrict_files(paths["run"], paths["read"], paths["write"])
            restrict_calls()
        set_limits(numbers)
        os.execv(words[end + 1], words[end + 1 :])  # noqa: S606 - this is the launcher
    except (CannotConfine, ImportError, OSError, ValueError, IndexError) as problem:
        os.write(2, f"{MARK}{problem}\n".encode(errors="replace"))
    return SETUP_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
