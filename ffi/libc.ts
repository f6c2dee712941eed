/**
 * The libc functions that Trapline calls, bound on first use.
 *
 * Importing this module opens nothing: a machine that is not x86-64 Linux learns so from
 * {@link libc}, as an {@link UnsupportedPlatformError}, when something is really called.
 */

/** Thrown when this machine cannot have x86 KVM at all: not Linux, or not x86-64. */
export class UnsupportedPlatformError extends Error {
  /** The class's name. */
  override readonly name = "UnsupportedPlatformError";
}

// One C function under several names: what Deno generates for a call depends on the types of its
// parameters, and ioctl's third parameter is an integer, a buffer or an address by request.
const definitions = {
  ioctlValue: { name: "ioctl", parameters: ["i32", "u32", "i32"], result: "i32" },
  ioctlAddress: { name: "ioctl", parameters: ["i32", "u32", "u64"], result: "i32" },
  ioctlBuffer: { name: "ioctl", parameters: ["i32", "u32", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "usize" },
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  mprotect: { parameters: ["usize", "usize", "i32"], result: "i32" },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  mremap: { parameters: ["usize", "usize", "usize", "i32", "usize"], result: "usize" },
  syscall: { parameters: ["i64", "i64"], result: "i64" },
  memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  gettid: { parameters: [], result: "i32" },
  tgkill: { parameters: ["i32", "i32", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sigtimedwait: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

const timerDefinitions = {
  timer_create: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  timer_settime: { parameters: ["usize", "i32", "buffer", "buffer"], result: "i32" },
  timer_delete: { parameters: ["usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions, and this thread's `errno`. */
export type Libc =
  & Deno.DynamicLibrary<typeof definitions>["symbols"]
  & Deno.DynamicLibrary<typeof timerDefinitions>["symbols"]
  & {
    /**
     * A live view of this thread's `errno`. Read element 0 in the very next expression after a
     * failed call: any other JavaScript in between may make the runtime overwrite it.
     */
    readonly errno: Int32Array;
  };

let bound: Libc | undefined;

/**
 * The libc of this process, bound on the first call in each thread.
 *
 * @throws {UnsupportedPlatformError} when the process does not run on x86-64 Linux.
 */
export function libc(): Libc {
  return bound ??= bind();
}

/**
 * Throws unless `os` and `arch` are ones on which x86 KVM exists.
 *
 * @throws {UnsupportedPlatformError} naming what this machine is instead.
 */
export function checkPlatform(os: string = Deno.build.os, arch: string = Deno.build.arch): void {
  if (os !== "linux") {
    throw new UnsupportedPlatformError(
      `KVM is a part of Linux and this is ${os}: run Trapline on an x86-64 Linux host.`,
    );
  }
  if (arch !== "x86_64") {
    throw new UnsupportedPlatformError(
      `Trapline's guests are x86 and this machine is ${arch}: run it on an x86-64 Linux host.`,
    );
  }
}

function bind(): Libc {
  checkPlatform();
  const { symbols } = Deno.dlopen("libc.so.6", definitions);
  const location = symbols.__errno_location();
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location!, 4));
  return { ...symbols, ...bindTimers(), errno };
}

function bindTimers(): Deno.DynamicLibrary<typeof timerDefinitions>["symbols"] {
  try {
    return Deno.dlopen("libc.so.6", timerDefinitions).symbols;
  } catch {
    // Before glibc 2.34 the POSIX timers were a library of their own.
    return Deno.dlopen("librt.so.1", timerDefinitions).symbols;
  }
}
