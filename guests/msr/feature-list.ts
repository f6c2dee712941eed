import { asm, defineCase, Kvm } from "../../mod.ts";

/** The system answers each of its feature MSRs, and stops at the first MSR that is none. */
export default defineCase({
  id: "msr/feature-list",
  spec: [
    "KVM API 4.3: KVM_GET_MSR_FEATURE_INDEX_LIST",
    "KVM API 4.18: KVM_GET_MSRS of the system",
  ],
  mode: "real",
  requires: ["KVM_CAP_GET_MSR_FEATURES", { parameter: "kvm.ignore_msrs", value: "N" }],
  guest: asm`hlt`,
  drive: ({ assertEquals }) => {
    using kvm = Kvm.open();
    const list = kvm.msrFeatureIndexList();
    assertEquals("indices that come twice", list.length - new Set(list).size, 0);
    for (const index of list) {
      assertEquals(`answers for 0x${index.toString(16)}`, kvm.featureMsrs([index]).length, 1);
    }
    const answered = kvm.featureMsrs(list).map(({ index }) => index);
    assertEquals("answers at once", answered, list);
    // No processor and no hypervisor's interface has it.
    const unknown = 0x400000e0;
    assertEquals("answers behind an unknown", kvm.featureMsrs([unknown, ...list]).length, 0);
    assertEquals("answers before one", kvm.featureMsrs([...list, unknown]).length, list.length);
  },
  trace: `hlt`,
});
