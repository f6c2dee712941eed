import { capabilities } from "../../ffi/abi/capabilities.ts";
import {
  kvm_debugregs,
  kvm_fpu,
  kvm_regs,
  kvm_sregs,
  kvm_sregs2,
  kvm_xcrs,
  kvm_xsave,
} from "../../ffi/abi/registers.ts";
import { LayoutError } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type {
  DebugRegisters,
  ExtendedControlRegister,
  FloatingPointRegisters,
  Registers,
  SystemRegisters,
  SystemRegisters2,
} from "../x86/state.ts";
import { act, type Observed } from "./action.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { getState, setState } from "./state_ioctl.ts";

/** The registers of a vCPU, as KVM's ioctls save and restore them. */
export class VcpuRegisters {
  readonly #vm: FileDescriptor;
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  #xsaveSize: number | undefined;
  #hasXsave2 = false;

  /** Made by {@link Vcpu}. */
  constructor(vm: FileDescriptor, fd: FileDescriptor, observed: Observed) {
    this.#vm = vm;
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * General registers, RIP and RFLAGS (KVM_GET_REGS, KVM API 4.11).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  regs(): Registers {
    return getState(this.#fd, "KVM_GET_REGS", kvm_regs);
  }

  /**
   * Sets them all (KVM_SET_REGS, KVM API 4.12). `{ ...vcpu.regs(), rip: 0x8000n }` changes one.
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {LayoutError} when a register is missing or beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setRegs(registers: Registers): void {
    setState(this.#fd, this.#observed, "set-regs", "KVM_SET_REGS", kvm_regs, registers);
  }

  /**
   * Segments, descriptor tables, control registers, EFER and the APIC base (KVM_GET_SREGS, KVM API
   * 4.13).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  sregs(): SystemRegisters {
    return getState(this.#fd, "KVM_GET_SREGS", kvm_sregs);
  }

  /**
   * Sets them all (KVM_SET_SREGS, KVM API 4.14).
   *
   * @throws {KvmError} EINVAL when they contradict each other.
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setSregs(registers: SystemRegisters): void {
    setState(this.#fd, this.#observed, "set-sregs", "KVM_SET_SREGS", kvm_sregs, registers);
  }

  /**
   * DR0 to DR3, DR6, DR7 (KVM_GET_DEBUGREGS, KVM API 4.33).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  debugRegs(): DebugRegisters {
    return getState(this.#fd, "KVM_GET_DEBUGREGS", kvm_debugregs);
  }

  /**
   * Sets the debug registers (KVM_SET_DEBUGREGS, KVM API 4.34).
   *
   * @throws {KvmError} EINVAL for flags, or bits above 31 in DR6 or DR7.
   * @throws {LayoutError} when a register is missing or beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setDebugRegs(registers: DebugRegisters): void {
    setState(
      this.#fd,
      this.#observed,
      "set-debugregs",
      "KVM_SET_DEBUGREGS",
      kvm_debugregs,
      registers,
    );
  }

  /**
   * Segments, descriptor tables, control registers, EFER, the APIC base and PAE's page-directory
   * pointers (KVM_GET_SREGS2, KVM API 4.131); what waits to be injected is not among them.
   *
   * @throws {KvmError} ENOTTY or EINVAL without KVM_CAP_SREGS2.
   * @throws {DisposedError} after disposal.
   */
  sregs2(): SystemRegisters2 {
    return getState(this.#fd, "KVM_GET_SREGS2", kvm_sregs2);
  }

  /**
   * Sets them all (KVM_SET_SREGS2, KVM API 4.132).
   *
   * @throws {KvmError} EINVAL when they contradict each other, or flags are unknown.
   * @throws {LayoutError} when a register is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setSregs2(registers: SystemRegisters2): void {
    setState(this.#fd, this.#observed, "set-sregs2", "KVM_SET_SREGS2", kvm_sregs2, registers);
  }

  /**
   * x87 and SSE registers (KVM_GET_FPU, KVM API 4.22).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  fpu(): FloatingPointRegisters {
    return getState(this.#fd, "KVM_GET_FPU", kvm_fpu);
  }

  /**
   * Sets them all (KVM_SET_FPU, KVM API 4.23).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {LayoutError} when a register is missing or of another size.
   * @throws {DisposedError} after disposal.
   */
  setFpu(registers: FloatingPointRegisters): void {
    setState(this.#fd, this.#observed, "set-fpu", "KVM_SET_FPU", kvm_fpu, registers);
  }

  /**
   * Bytes of {@link xsave}: what KVM_CAP_XSAVE2 answers, at least 4096.
   *
   * @throws {KvmError} when KVM cannot be asked.
   * @throws {DisposedError} after disposal.
   */
  xsaveSize(): number {
    this.#fd.number;
    if (this.#xsaveSize !== undefined) return this.#xsaveSize;
    const size = ioctlValue(this.#vm, "KVM_CHECK_EXTENSION", capabilities.KVM_CAP_XSAVE2);
    this.#hasXsave2 = size > 0;
    return this.#xsaveSize = Math.max(size, kvm_xsave.size);
  }

  /** Whether KVM has KVM_GET_XSAVE2, for areas beyond 4096 bytes. */
  hasXsave2(): boolean {
    this.xsaveSize();
    return this.#hasXsave2;
  }

  /**
   * The XSAVE area in its standard, not compacted form (SDM 1 13.4): x87 and SSE at 0, the header
   * at 512, the rest where CPUID 0xd says (KVM_GET_XSAVE2, KVM API 4.134, or KVM_GET_XSAVE, 4.42).
   *
   * @returns {@link xsaveSize} bytes
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  xsave(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(new ArrayBuffer(this.xsaveSize()));
    ioctlBuffer(this.#fd, this.hasXsave2() ? "KVM_GET_XSAVE2" : "KVM_GET_XSAVE", bytes);
    return bytes;
  }

  /**
   * Sets the XSAVE area (KVM_SET_XSAVE, KVM API 4.43).
   *
   * @param bytes {@link xsaveSize} of them, in the standard form
   * @throws {KvmError} EINVAL when its header names a component that the vCPU cannot have, says
   * compacted or has a reserved bit, or MXCSR has one.
   * @throws {LayoutError} when it has another number of bytes.
   * @throws {DisposedError} after disposal.
   */
  setXsave(bytes: Uint8Array): void {
    const size = this.xsaveSize();
    if (!(bytes instanceof Uint8Array) || bytes.length !== size) {
      throw new LayoutError(`kvm_xsave must be a Uint8Array of ${size} bytes: see xsaveSize()`);
    }
    act(this.#observed, "set-xsave", [], () => {
      ioctlBuffer(this.#fd, "KVM_SET_XSAVE", new Uint8Array(bytes));
    });
  }

  /**
   * The extended control registers, XCR0 alone so far (KVM_GET_XCRS, KVM API 4.44).
   *
   * @throws {KvmError} EINVAL without KVM_CAP_XCRS.
   * @throws {DisposedError} after disposal.
   */
  xcrs(): ExtendedControlRegister[] {
    const { nr_xcrs, xcrs } = getState(this.#fd, "KVM_GET_XCRS", kvm_xcrs);
    return xcrs.slice(0, nr_xcrs).map(({ xcr, value }) => ({ xcr, value }));
  }

  /**
   * Sets extended control registers (KVM_SET_XCRS, KVM API 4.45).
   *
   * @param registers up to 16
   * @throws {KvmError} EINVAL when a register or a bit is not there.
   * @throws {LayoutError} when there are more than 16, or a value is beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setXcrs(registers: readonly ExtendedControlRegister[]): void {
    const { xcrs } = kvm_xcrs.fields;
    const limit = xcrs[2];
    if (!Array.isArray(registers) || registers.length > limit) {
      throw new LayoutError(`kvm_xcrs.xcrs must be an array of up to ${limit}`);
    }
    const value = {
      nr_xcrs: registers.length,
      flags: 0,
      xcrs: Array.from({ length: limit }, (_, at) => registers[at] ?? { xcr: 0, value: 0n }),
    };
    setState(this.#fd, this.#observed, "set-xcrs", "KVM_SET_XCRS", kvm_xcrs, value);
  }
}
