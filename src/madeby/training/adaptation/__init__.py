"""A finished detector, adapted to a user's own pictures: its last, linear step is learnt anew, near the old one."""
