/** A class whose name has no dot; reached by name only. */
enum WithoutPackage {
    ONE;

    static WithoutPackage same(WithoutPackage one) {
        return one;
    }
}
