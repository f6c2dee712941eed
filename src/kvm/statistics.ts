import { constants } from "../../ffi/abi/constants.ts";
import { kvm_stats_desc, kvm_stats_header } from "../../ffi/abi/control.ts";
import { decode } from "../../ffi/abi/layout.ts";
import { SystemCallError } from "../../ffi/errno.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { ioctlValue } from "./ioctl.ts";

/** What a statistic counts (bits 0 to 3 of its flags). */
export type StatisticType =
  | "cumulative"
  | "instant"
  | "peak"
  | "linear-histogram"
  | "logarithmic-histogram";

/** What a statistic is measured in (bits 4 to 7 of its flags). */
export type StatisticUnit = "none" | "bytes" | "seconds" | "cycles" | "boolean";

/** What one statistic is: `struct kvm_stats_desc` and its name (KVM API 4.133). */
export interface StatisticDescriptor {
  /** Its name, such as `"halt_exits"`. */
  readonly name: string;
  /** What it counts; a number where this KVM is newer than Trapline. */
  readonly type: StatisticType | number;
  /** What it is measured in; a number where this KVM is newer than Trapline. */
  readonly unit: StatisticUnit | number;
  /** The unit is multiplied with `base ** exponent`. */
  readonly base: 10 | 2 | number;
  /** The unit is multiplied with `base ** exponent`. */
  readonly exponent: number;
  /** How many 64-bit values it has: 1, or the buckets of a histogram. */
  readonly size: number;
  /** Bytes from the start of the data to its first value. */
  readonly offset: number;
  /** Width of a linear histogram's buckets, in the unit. */
  readonly bucketSize: number;
  /** The 32 bits of flags as they are. */
  readonly flags: number;
}

/** The head of the file: `struct kvm_stats_header`, offsets in bytes of the file, with C's names. */
export interface StatisticsHeader {
  /** Always 0. */
  readonly flags: number;
  /** Bytes of every name, its closing zero included. */
  readonly name_size: number;
  /** How many descriptors there are. */
  readonly num_desc: number;
  /** Where the id is; a multiple of 8. */
  readonly id_offset: number;
  /** Where the descriptors are; a multiple of 8. */
  readonly desc_offset: number;
  /** Where the values are; a multiple of 8. */
  readonly data_offset: number;
}

const types: readonly StatisticType[] = [
  "cumulative",
  "instant",
  "peak",
  "linear-histogram",
  "logarithmic-histogram",
];
const units: readonly StatisticUnit[] = ["none", "bytes", "seconds", "cycles", "boolean"];
const bases = [10, 2] as const;

/**
 * The binary statistics of a VM or a vCPU: the descriptor that KVM_GET_STATS_FD gives (KVM API
 * 4.133). It outlives the VM that it counts for.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu();
 * using statistics = vcpu.statistics();
 * console.log(statistics.value("exits")); // 0n
 * ```
 */
export class Statistics implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #byName: ReadonlyMap<string, StatisticDescriptor>;
  /** The head of the file. */
  readonly header: StatisticsHeader;
  /** What they belong to, such as `"kvm-1234"` or `"kvm-1234/vcpu-0"`. */
  readonly id: string;
  /** What there is, in the order of the file. */
  readonly descriptors: readonly StatisticDescriptor[];

  private constructor(fd: FileDescriptor) {
    this.#fd = fd;
    const head = readAt(fd, 0, kvm_stats_header.size);
    this.header = decode(kvm_stats_header, head);
    const { name_size, num_desc, id_offset, desc_offset } = this.header;
    this.id = text(readAt(fd, id_offset, name_size), 0, name_size);
    const stride = kvm_stats_desc.size + name_size;
    const all = readAt(fd, desc_offset, num_desc * stride);
    this.descriptors = Array.from(
      { length: num_desc },
      (_, index) => descriptorAt(all, index * stride, name_size),
    );
    this.#byName = new Map(this.descriptors.map((descriptor) => [descriptor.name, descriptor]));
  }

  /**
   * Opens the statistics of a VM or a vCPU (KVM_GET_STATS_FD); {@link Vm.statistics} and
   * {@link Vcpu.statistics} are the usual way.
   *
   * @throws {KvmError} ENOTTY without KVM_CAP_BINARY_STATS_FD, EMFILE when the process is out of
   * descriptors.
   * @throws {SystemCallError} when the file cannot be read.
   */
  static open(owner: FileDescriptor): Statistics {
    const fd = new FileDescriptor(ioctlValue(owner, "KVM_GET_STATS_FD"), "Statistics");
    try {
      return new Statistics(fd);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Reads one statistic that has one value; `undefined` when there is none of that name.
   *
   * @throws {SystemCallError} when the file cannot be read.
   * @throws {DisposedError} after disposal.
   */
  value(name: string): bigint | undefined {
    return this.values(name)?.[0];
  }

  /**
   * Reads all values of one statistic, such as the buckets of a histogram; `undefined` when there
   * is none of that name.
   *
   * @throws {SystemCallError} when the file cannot be read.
   * @throws {DisposedError} after disposal.
   */
  values(name: string): bigint[] | undefined {
    this.#fd.number;
    const descriptor = this.#byName.get(name);
    if (descriptor === undefined) return undefined;
    const { offset, size } = descriptor;
    return words(readAt(this.#fd, this.header.data_offset + offset, 8 * size), 0, size);
  }

  /**
   * Reads all statistics at once, by name.
   *
   * @throws {SystemCallError} when the file cannot be read.
   * @throws {DisposedError} after disposal.
   */
  read(): Map<string, bigint[]> {
    const end = this.descriptors.reduce(
      (end, { offset, size }) => Math.max(end, offset + 8 * size),
      0,
    );
    const data = readAt(this.#fd, this.header.data_offset, end);
    return new Map(
      this.descriptors.map(({ name, offset, size }) => [name, words(data, offset, size)]),
    );
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

function descriptorAt(view: DataView, at: number, nameSize: number): StatisticDescriptor {
  const { flags, exponent, size, offset, bucket_size } = decode(kvm_stats_desc, view, at);
  const type = (flags & constants.KVM_STATS_TYPE_MASK) >>> constants.KVM_STATS_TYPE_SHIFT;
  const unit = (flags & constants.KVM_STATS_UNIT_MASK) >>> constants.KVM_STATS_UNIT_SHIFT;
  const base = (flags & constants.KVM_STATS_BASE_MASK) >>> constants.KVM_STATS_BASE_SHIFT;
  return {
    name: text(view, at + kvm_stats_desc.size, nameSize),
    type: types[type] ?? type,
    unit: units[unit] ?? unit,
    base: bases[base] ?? base,
    exponent,
    size,
    offset,
    bucketSize: bucket_size,
    flags,
  };
}

/** Reads exactly so many bytes of the file; it has no position of its own to keep. */
function readAt(fd: FileDescriptor, offset: number, size: number): DataView<ArrayBuffer> {
  const c = libc();
  const bytes = new Uint8Array(new ArrayBuffer(size));
  if (size === 0) return new DataView(bytes.buffer);
  const read = c.pread(fd.number, bytes, BigInt(size), BigInt(offset));
  if (read < 0n) throw new SystemCallError("pread", c.errno[0], "statistics");
  if (read !== BigInt(size)) {
    throw new SystemCallError(
      "pread",
      0,
      `${read} of ${size} bytes at ${offset} of the statistics`,
    );
  }
  return new DataView(bytes.buffer);
}

function words(view: DataView, at: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => view.getBigUint64(at + 8 * index, true));
}

/** A string of C in a field of so many bytes. */
function text(view: DataView<ArrayBufferLike>, at: number, size: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, size);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes.slice() : bytes.slice(0, end));
}
