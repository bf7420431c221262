/* The threads of holder.c: each watches something of its own that a detach must leave alone, and counts what went wrong. */
/* Wide registers hold a value that only this loop changes; a lost upper half shows at once. */
static void *compute(void *arg)
{
	stack_t mine = { .ss_sp = malloc(65536), .ss_size = 65536 }, now;
	sigset_t mask, seen;
	sigaltstack(&mine, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	double k = 1 + (long)arg;
	for (;;) {
		v4 a = { k, 2 * k, 3 * k, 4 * k }, b = { 1, 1, 1, 1 };
		register long r12 asm("r12") = 0x1234567890abcdefL;
		for (int i = 0; i < 20000; i++) {
			a += b;
			asm volatile("" : "+x"(a), "+x"(b), "+r"(r12));
		}
		if (a[0] != k + 20000 || a[1] != 2 * k + 20000 || a[2] != 3 * k + 20000 || a[3] != 4 * k + 20000)
			wrong("vector register");
		if (r12 != 0x1234567890abcdefL)
			wrong("r12");
		sigaltstack(NULL, &now);
		if (now.ss_sp != mine.ss_sp || now.ss_size != mine.ss_size || (now.ss_flags & SS_DISABLE))
			wrong("alternate stack");
		pthread_sigmask(SIG_BLOCK, NULL, &seen);
		if (!sigismember(&seen, SIGUSR2) || sigismember(&seen, SIGALRM))
			wrong("signal mask");
		atomic_fetch_add(&rounds, 1);
		/* Busy, but not so that nothing else runs on a small machine. */
		if (rounds % 64 == 0)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 3000000 }, NULL);
	}
	return NULL;
}

static void block_alarm(void)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void *blocked_in_read(void *arg)
{
	int ends[2];
	char c;
	(void)arg;
	block_alarm();
	if (pipe(ends) != 0)
		wrong("pipe");
	read(ends[0], &c, 1);
	wrong("a read of an empty pipe returned");
	return NULL;
}

static void *blocked_in_select(void *arg)
{
	(void)arg;
	block_alarm();
	select(0, NULL, NULL, NULL, NULL);
	wrong("select without descriptors returned");
	return NULL;
}

static void *blocked_in_poll(void *arg)
{
	sigset_t none;
	(void)arg;
	block_alarm();
	sigemptyset(&none);
	sigaddset(&none, SIGALRM);
	sigaddset(&none, SIGUSR1);
	for (;;) {
		struct timespec t = { 0, 3000000 };
		if (ppoll(NULL, 0, &t, &none) != 0)
			wrong("ppoll");
		sigset_t seen;
		pthread_sigmask(SIG_BLOCK, NULL, &seen);
		if (sigismember(&seen, SIGUSR1) || !sigismember(&seen, SIGALRM))
			wrong("signal mask after ppoll");
		if (poll(NULL, 0, 3) != 0)
			wrong("poll");
	}
	return NULL;
}

static void *sleeper(void *arg)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	(void)arg;
	block_alarm();
	for (;;) {
		struct timespec t = { 0, 2000000 }, left, until;
		if (nanosleep(&t, &left) != 0) {
			if (errno != EINTR)
				wrong("nanosleep");
			atomic_fetch_add(&early_wakes, 1);
		}
		t = (struct timespec){ 0, 2000000 };
		if (nanosleep(&t, &t) != 0)
			wrong("nanosleep into its own argument");
		if (nanosleep(&(struct timespec){ 0, 2000000 }, NULL) != 0)
			wrong("nanosleep without remainder");
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 2000000;
		if (until.tv_nsec >= 1000000000)
			until.tv_nsec -= 1000000000, until.tv_sec++;
		pthread_mutex_lock(&lock);
		if (pthread_cond_timedwait(&cond, &lock, &until) != ETIMEDOUT)
			wrong("pthread_cond_timedwait");
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* Threads come and go while the process is being stopped. */
static void *brief(void *arg)
{
	return arg;
}

static void *spawner(void *arg)
{
	(void)arg;
	block_alarm();
	for (;;) {
		pthread_t t;
		if (pthread_create(&t, NULL, brief, NULL) == 0)
			pthread_join(t, NULL);
		else
			wrong("pthread_create");
		usleep(500);
	}
	return NULL;
}
