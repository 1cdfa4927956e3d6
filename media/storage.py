from django.core.files.storage import FileSystemStorage


class LocalPrivateStorage(FileSystemStorage):
    pass
