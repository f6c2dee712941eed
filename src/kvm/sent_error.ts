/** Errors that cross from a vCPU's thread to the main thread: a message keeps no class. @module */
import { ArgumentError } from "../../ffi/argument.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { LayoutError } from "../../ffi/abi/layout.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import { SystemCallError } from "../../ffi/errno.ts";
import { KvmError } from "./error.ts";
import { RestoreError, SaveError } from "./saved_state.ts";
import { AnswerError } from "./vcpu.ts";

/** An error as plain data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** The ioctl or function that failed, or what was disposed. */
  readonly of?: string;
  readonly errno?: number;
  readonly needed?: number;
}

/** Classes that are made of a message alone. */
const plain: Readonly<Record<string, new (message: string) => Error>> = {
  AnswerError,
  ArgumentError,
  LayoutError,
  RestoreError,
  SaveError,
};

/** The plain data of an error. */
export function packError(error: unknown): SentError {
  const { name, message } = error as Error;
  if (error instanceof KvmError) {
    const { ioctl, errno, needed } = error;
    return { name, message, of: ioctl, errno, needed };
  }
  if (error instanceof SystemCallError) {
    return { name, message, of: error.call, errno: error.errno };
  }
  if (error instanceof DisposedError) return { name, message, of: error.what };
  return { name, message };
}

/** The error again, of its class, with its message. */
export function reviveError({ name, message, of = "", errno = 0, needed }: SentError): Error {
  const error = name === "KvmError"
    ? new KvmError(of as IoctlName, errno, undefined, needed)
    : name === "SystemCallError"
    ? new SystemCallError(of, errno)
    : name === "DisposedError"
    ? new DisposedError(of)
    : new (plain[name] ?? Error)(message);
  error.message = message;
  return error;
}
