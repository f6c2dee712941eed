/** Error numbers of x86-64 Linux by name, and the error that every failed system call becomes. */

const names: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  8: "ENOEXEC",
  9: "EBADF",
  10: "ECHILD",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  15: "ENOTBLK",
  16: "EBUSY",
  17: "EEXIST",
  18: "EXDEV",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  25: "ENOTTY",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  31: "EMLINK",
  32: "EPIPE",
  33: "EDOM",
  34: "ERANGE",
  35: "EDEADLK",
  36: "ENAMETOOLONG",
  37: "ENOLCK",
  38: "ENOSYS",
  39: "ENOTEMPTY",
  40: "ELOOP",
  61: "ENODATA",
  62: "ETIME",
  71: "EPROTO",
  74: "EBADMSG",
  75: "EOVERFLOW",
  95: "EOPNOTSUPP",
  105: "ENOBUFS",
  110: "ETIMEDOUT",
  114: "EALREADY",
  115: "EINPROGRESS",
  125: "ECANCELED",
  133: "EHWPOISON",
};

/** The name of an error number (`17` is `"EEXIST"`); an unnamed one is `"errno N"`. */
export function errnoName(errno: number): string {
  return names[errno] ?? `errno ${errno}`;
}

/** Thrown when a call into libc or the kernel fails. */
export class SystemCallError extends Error {
  /** The class's name. */
  override readonly name: string = "SystemCallError";
  /** The name of the error, such as `"ENOMEM"`. */
  readonly code: string;

  /**
   * Says what failed and how.
   *
   * @param call the function or ioctl that failed, such as `"mmap"` or `"KVM_CREATE_VM"`
   * @param errno the error number it left
   * @param detail what was asked of it, or what the documentation gives as the cause
   */
  constructor(readonly call: string, readonly errno: number, detail?: string) {
    const code = errnoName(errno);
    super(`${call} failed with ${code}${detail === undefined ? "" : `: ${detail}`}`);
    this.code = code;
  }
}
