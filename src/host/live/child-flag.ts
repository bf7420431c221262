/** First argument of the bundle that makes it a child (entry.ts). By itself: the process entry asks for it at each start. */
export const CHILD_FLAG = '--unseat-child';
