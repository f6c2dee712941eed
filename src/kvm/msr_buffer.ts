import { decode, encode } from "../../ffi/abi/layout.ts";
import { kvm_msr_entry, kvm_msrs } from "../../ffi/abi/registers.ts";
import type { MsrEntry } from "../x86/state.ts";

/** The argument of KVM_GET_MSRS and KVM_SET_MSRS: `struct kvm_msrs` (KVM API 4.18). */
export function msrBuffer(entries: readonly MsrEntry[]): DataView<ArrayBuffer> {
  const { size } = kvm_msr_entry;
  const view = new DataView(new ArrayBuffer(kvm_msrs.size + entries.length * size));
  view.setUint32(kvm_msrs.fields.nmsrs[0], entries.length, true);
  entries.forEach((entry, position) => {
    encode(kvm_msr_entry, view, entry, kvm_msrs.size + position * size);
  });
  return view;
}

/** The first `count` entries that KVM_GET_MSRS left in its argument. */
export function decodeMsrs(view: DataView<ArrayBuffer>, count: number): MsrEntry[] {
  return Array.from({ length: count }, (_, position) => {
    return decode(kvm_msr_entry, view, kvm_msrs.size + position * kvm_msr_entry.size);
  });
}
