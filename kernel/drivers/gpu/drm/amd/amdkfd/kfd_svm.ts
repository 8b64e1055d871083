export class SvmRangeBo {
  x = false
}
