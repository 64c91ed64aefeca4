package io.dogpile.demo;

/** Is told what a {@link Recorder} writes down, at once and on the thread that it happens on. */
interface Witness {
    /** Looks away. */
    Witness NONE = new Witness() {
        @Override
        public void begun(int lane, long at) {}

        @Override
        public void worked(Work work) {}

        @Override
        public void called(Call call) {}
    };

    /** The expensive call has begun. */
    void begun(int lane, long at);

    /** The expensive call has returned or failed. */
    void worked(Work work);

    /** A caller has its value. */
    void called(Call call);
}
