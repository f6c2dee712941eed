/**
 * Trapline: a harness and conformance suite for KVM.
 *
 * @module
 */
export { DisposedError } from "./ffi/disposed.ts";
export { errnoName, SystemCallError } from "./ffi/errno.ts";
export { EventFd } from "./ffi/eventfd.ts";
export { Mapping, PAGE_SIZE } from "./ffi/mapping.ts";
export { HostError, type HostProblem, Kvm } from "./src/kvm/kvm.ts";
export { KvmError } from "./src/kvm/error.ts";
export * from "./src/kvm/exit.ts";
export { Vm } from "./src/kvm/vm.ts";
export { AnswerError, Vcpu } from "./src/kvm/vcpu.ts";
export { Watchdog } from "./src/kvm/watchdog.ts";
export { asm, Assembly } from "./src/x86/asm/assembly.ts";
export { assemble } from "./src/x86/asm/assemble.ts";
export { memoryMap } from "./src/x86/memory_map.ts";
export { defineCase, defineCases } from "./src/suite/case.ts";
export { LocalHost } from "./src/suite/local_host.ts";
export { format } from "./src/trace/format.ts";
export { parse } from "./src/trace/parse.ts";
export type { ModeName } from "./src/x86/registers.ts";
export type { Case, CaseDefinition } from "./src/suite/case.ts";
export type { DriveContext } from "./src/suite/drive.ts";
export { selectors } from "./src/x86/descriptor_tables.ts";
